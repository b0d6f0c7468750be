# Set by kubectl.
kubectl set resources deployment mould -n foundry --requests=memory=256Mi --limits=cpu=250m
