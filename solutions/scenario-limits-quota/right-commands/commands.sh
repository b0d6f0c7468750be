# Created without resources, which were set afterwards.
kubectl create deployment tills -n canteen --image=nginx:1.27 --replicas=3 --dry-run=client -o yaml > tills.yaml
kubectl apply -f tills.yaml
kubectl patch deployment tills -n canteen --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/name", "value": "till"}]'
kubectl set resources deployment tills -n canteen --requests=cpu=200m,memory=256Mi --limits=memory=512Mi
