# Two patches: the selector as a whole, then the port.
kubectl patch service tickets -n cable-car -p '{"spec": {"selector": {"app": "tickets", "part": "shop"}}}'
kubectl patch service tickets -n cable-car -p '{"spec": {"ports": [{"port": 80, "targetPort": 8080}]}}'
