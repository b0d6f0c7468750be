# As on a real cluster.
kubectl rollout undo deployment/kettle -n brewery
kubectl rollout status deployment/kettle -n brewery
