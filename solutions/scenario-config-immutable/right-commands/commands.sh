# The ConfigMap by kubectl, made immutable by a patch.
kubectl create configmap prices-2027 -n motorway --from-literal=car=45 --from-literal=truck=95
kubectl patch configmap prices-2027 -n motorway -p '{"immutable": true}'
kubectl patch deployment toll -n motorway -p '{"spec": {"template": {"spec": {"volumes": [{"name": "prices", "configMap": {"name": "prices-2027"}}]}}}}'
