# A merge patch and a JSON patch.
kubectl patch cronjob report -n telegraph --type=merge -p '{"spec": {"suspend": false, "schedule": "0 3 * * 1-5"}}'
kubectl patch cronjob report -n telegraph --type=json -p '[{"op": "replace", "path": "/spec/jobTemplate/spec/template/spec/containers/0/envFrom/0/configMapRef/name", "value": "report-settings"}]'
