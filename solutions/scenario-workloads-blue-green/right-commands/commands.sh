# Created and exposed by kubectl.
kubectl config set-context --current --namespace=lottery
kubectl apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata: { name: draw-green }
spec:
  replicas: 3
  selector: { matchLabels: { app: draw, slot: green } }
  template:
    metadata: { labels: { app: draw, slot: green } }
    spec:
      containers:
        - { name: web, image: "nginx:1.27" }
EOF
kubectl expose deployment draw-green --name=draw-preview --port=80
