# Two patches.
kubectl patch deployment cider -n orchard -p '{"spec": {"template": {"spec": {"nodeSelector": {"cellar": "cool"}}}}}'
kubectl patch deployment cider -n orchard -p '{"spec": {"template": {"spec": {"initContainers": [{"name": "thermometer", "restartPolicy": "Always"}]}}}}'
