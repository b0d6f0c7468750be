# Secret and variables by kubectl.
kubectl create secret generic ledger-db -n pharmacy --from-literal=username=ledger --from-literal=password=Aspirin-1899
kubectl patch deployment ledger -n pharmacy -p '{"spec": {"template": {"spec": {"containers": [{"name": "app", "env": [{"name": "DB_USER", "value": null, "valueFrom": {"secretKeyRef": {"name": "ledger-db", "key": "username"}}}, {"name": "DB_PASSWORD", "value": null, "valueFrom": {"secretKeyRef": {"name": "ledger-db", "key": "password"}}}]}]}}}}'
