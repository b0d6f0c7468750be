# Written by kubectl.
kubectl create ingress theatre -n theatre --class=nginx --rule='theatre.example.com/*=stage:80,tls=theatre-tls' --rule='theatre.example.com/shop*=shop:web,tls=theatre-tls' --rule='theatre.example.com/healthz=stage:80,tls=theatre-tls'
