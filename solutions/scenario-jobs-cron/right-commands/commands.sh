# Created by kubectl, then patched.
kubectl create cronjob weigh-hives -n apiary --image=registry.example.com/apiary/scale:3.3 --schedule='15 4 * * *' --restart=OnFailure --dry-run=client -o yaml > cron.yaml
kubectl apply -f cron.yaml
kubectl patch cronjob weigh-hives -n apiary --type=json -p '[{"op": "replace", "path": "/spec/jobTemplate/spec/template/spec/containers/0/name", "value": "scale"}]'
kubectl patch cronjob weigh-hives -n apiary --type=merge -p '{"spec": {"timeZone": "Asia/Taipei", "concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 600, "successfulJobsHistoryLimit": 2}}'
