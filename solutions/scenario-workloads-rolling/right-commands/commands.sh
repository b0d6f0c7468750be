# Patched in one line.
kubectl patch deployment forecast -n weather-station -p '{"spec": {"progressDeadlineSeconds": 60, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}}'
