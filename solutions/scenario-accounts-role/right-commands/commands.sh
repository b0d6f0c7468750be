# Two commands make Role and binding; the rule for the ConfigMap is added by a patch.
kubectl create role catalogue -n library --verb=get,list,watch --resource=pods,services
kubectl patch role catalogue -n library --type=json -p '[{"op": "add", "path": "/rules/-", "value": {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["index"], "verbs": ["update"]}}]'
kubectl create rolebinding catalogue -n library --role=catalogue --serviceaccount=library:catalogue
