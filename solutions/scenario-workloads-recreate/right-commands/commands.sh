# A patch that takes rollingUpdate away.
kubectl patch deployment bells -n bell-tower -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}'
