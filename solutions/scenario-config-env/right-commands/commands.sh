# The ConfigMap by kubectl, the pod from a dry run that was edited.
kubectl create configmap oven -n bakery --from-literal=temperature=230 --from-literal=program=rye
kubectl apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata: { name: baker, namespace: bakery, labels: { run: baker } }
spec:
  containers:
    - name: control
      image: nginx:1.27
      env: [{ name: OVEN_TEMPERATURE, valueFrom: { configMapKeyRef: { name: oven, key: temperature } } }]
      envFrom: [{ configMapRef: { name: shift }, prefix: SHIFT_ }]
EOF
