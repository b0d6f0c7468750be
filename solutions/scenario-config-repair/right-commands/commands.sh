# The forgotten ConfigMap and a patch of the key.
kubectl create configmap breakfast -n hotel --from-literal=HOURS=07:00-10:00
kubectl patch deployment reception -n hotel --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/0/valueFrom/configMapKeyRef/key", "value": "welcome"}]'
