# Paused, changed step by step.
kubectl config set-context --current --namespace=tea-house
kubectl rollout pause deployment/menu
kubectl set image deployment/menu web=nginx:1.27
kubectl set env deployment/menu SEASON=winter
kubectl set resources deployment/menu --requests=memory=64Mi
