# The account first, then its pull secret, then new pods.
kubectl create serviceaccount librarian -n manuscripts
kubectl patch serviceaccount librarian -n manuscripts -p '{"imagePullSecrets": [{"name": "registry-login"}]}'
kubectl delete pod -n manuscripts -l app=stacks
