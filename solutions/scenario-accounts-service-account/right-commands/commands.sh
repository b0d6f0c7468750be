# Account and Deployment by kubectl, the volume by a patch.
kubectl create serviceaccount inspector -n customs
kubectl set serviceaccount deployment scanner inspector -n customs
kubectl patch deployment scanner -n customs -p '{"spec": {"template": {"spec": {"automountServiceAccountToken": false, "containers": [{"name": "scan", "volumeMounts": [{"name": "t", "mountPath": "/var/run/tokens"}]}], "volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"audience": "declarations", "expirationSeconds": 1800, "path": "declarations"}}]}}]}}}}'
