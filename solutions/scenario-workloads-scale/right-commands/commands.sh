# Written by kubectl.
kubectl set resources deployment tickets -n stadium --containers=shop --requests=cpu=250m
kubectl autoscale deployment tickets -n stadium --min=2 --max=8 --cpu=60%
