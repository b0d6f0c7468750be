use crate::timeline::testing::Shell;

#[test]
fn namespaces_accounts_and_classes_are_made() {
    let mut shell = Shell::default();
    assert_eq!(shell.stdout("create ns team"), "namespace/team created\n");
    assert_eq!(
        shell.stderr("create ns team"),
        "Error from server (AlreadyExists): namespaces \"team\" already exists\n"
    );
    assert_eq!(
        shell.stderr("create namespace"),
        "error: exactly one NAME is required, got 0\nSee 'kubectl create namespace -h' for help and examples\n"
    );
    assert_eq!(shell.stdout("create sa app"), "serviceaccount/app created\n");
    assert_eq!(
        shell.stderr("create sa app"),
        "error: failed to create serviceaccount: serviceaccounts \"app\" already exists\n"
    );
    assert_eq!(shell.stdout("create pc high --value=10"), "priorityclass.scheduling.k8s.io/high created\n");
    assert_eq!(shell.value("PriorityClass", "high", "/preemptionPolicy"), "PreemptLowerPriority");
    assert_eq!(
        shell.stderr("create cm a -n none --from-literal=a=b"),
        "error: failed to create configmap: namespaces \"none\" not found\n"
    );
}

#[test]
fn deployments_and_jobs_are_made() {
    let mut shell = Shell::default();
    assert_eq!(
        shell.stdout("create deploy web --image=reg/nginx:1 -r 2 --port=80 -- sleep 1d"),
        "deployment.apps/web created\n"
    );
    let container = "/spec/template/spec/containers/0";
    assert_eq!(shell.value("Deployment", "web", &format!("{container}/name")), "nginx");
    assert_eq!(shell.value("Deployment", "web", &format!("{container}/command/1")), "1d");
    assert_eq!(shell.value("Deployment", "web", "/status/readyReplicas"), "2");
    assert_eq!(shell.stderr("create deploy x"), "error: required flag(s) \"image\" not set\n");
    assert_eq!(
        shell.stderr("create deploy x --image=a --image=b -- c"),
        "error: cannot specify multiple --image options and command\n"
    );
    assert_eq!(
        shell.stdout("create cj tick --image=busybox --schedule='*/5 * * * *' -- date"),
        "cronjob.batch/tick created\n"
    );
    assert_eq!(shell.stdout("create job now --from=cronjob/tick"), "job.batch/now created\n");
    assert_eq!(shell.value("Job", "now", "/spec/template/spec/containers/0/command/0"), "date");
    assert_eq!(shell.value("Job", "now", "/metadata/ownerReferences/0/name"), "tick");
    assert_eq!(shell.stdout("create job once --image=busybox"), "job.batch/once created\n");
    assert_eq!(shell.stderr("create job x"), "error: either --image or --from must be specified\n");
}

#[test]
fn config_maps_and_secrets_are_made_of_files_and_literals() {
    let mut shell = Shell::default();
    shell.file("app.conf", "a=1\n");
    shell.file("vars.env", "# comment\nX=1\nY=a=b\n");
    shell.file("dir/one", "1");
    assert_eq!(
        shell.stdout("create cm a --from-literal=k=v=w --from-file=app.conf --from-file=c=app.conf"),
        "configmap/a created\n"
    );
    assert_eq!(shell.value("ConfigMap", "a", "/data/k"), "v=w");
    assert_eq!(shell.value("ConfigMap", "a", "/data/app.conf"), "a=1\n");
    assert_eq!(shell.value("ConfigMap", "a", "/data/c"), "a=1\n");
    shell.stdout("create cm b --from-env-file=vars.env");
    assert_eq!(shell.value("ConfigMap", "b", "/data/Y"), "a=b");
    shell.stdout("create cm c --from-file=dir");
    assert_eq!(shell.value("ConfigMap", "c", "/data/one"), "1");
    assert_eq!(shell.stdout("create secret generic s --from-literal=p=x"), "secret/s created\n");
    assert_eq!(shell.value("Secret", "s", "/data/p"), "eA==");
    let line = "create secret docker-registry r --docker-username=u --docker-password=p --docker-server=reg.io";
    assert_eq!(shell.stdout(line), "secret/r created\n");
    assert_eq!(shell.value("Secret", "r", "/type"), "kubernetes.io/dockerconfigjson");
    assert_eq!(shell.stderr("create secret tls t --cert=a.crt"), "error: key and cert must be specified\n");
    assert_eq!(shell.stderr("create cm x --from-literal=a"), "error: invalid literal source a, expected key=value\n");
    assert_eq!(shell.stderr("create cm x --from-file=none"), "error: error reading none: no such file or directory\n");
    assert_eq!(
        shell.stderr("create cm x --from-literal=a=1 --from-literal=a=2"),
        "error: cannot add key \"a\", another key by that name already exists in Data for ConfigMap \"x\"\n"
    );
}

#[test]
fn services_are_made_by_type() {
    let mut shell = Shell::default();
    assert_eq!(shell.stdout("create svc clusterip a --tcp=80:8080 --tcp=443"), "service/a created\n");
    assert_eq!(shell.value("Service", "a", "/spec/ports/0/targetPort"), "8080");
    assert_eq!(shell.value("Service", "a", "/spec/ports/0/name"), "80-8080");
    assert_eq!(shell.value("Service", "a", "/spec/selector/app"), "a");
    assert_eq!(shell.stdout("create service clusterip h --clusterip=None"), "service/h created\n");
    assert_eq!(shell.stdout("create service nodeport n --tcp=80 --node-port=30080"), "service/n created\n");
    assert_eq!(shell.value("Service", "n", "/spec/ports/0/nodePort"), "30080");
    assert_eq!(shell.stdout("create service loadbalancer l --tcp=80"), "service/l created\n");
    assert_eq!(shell.stdout("create service externalname e --external-name=example.com"), "service/e created\n");
    assert_eq!(shell.stderr("create svc clusterip x"), "error: at least one tcp port specifier must be provided\n");
}

#[test]
fn roles_bindings_quotas_and_budgets_are_made() {
    let mut shell = Shell::default();
    let line = "create role r --verb=get,list --verb=get --resource=po,deploy,pods/log --resource-name=web";
    assert_eq!(shell.stdout(line), "role.rbac.authorization.k8s.io/r created\n");
    assert_eq!(shell.value("Role", "r", "/rules/0/resources"), "[\"pods\",\"pods/log\"]");
    assert_eq!(shell.value("Role", "r", "/rules/1/apiGroups/0"), "apps");
    assert_eq!(shell.stderr("create role x --resource=pods"), "error: at least one verb must be specified\n");
    assert_eq!(
        shell.stderr("create role x --verb=get --resource=nopes"),
        "error: the server doesn't have a resource type \"nopes\"\n"
    );
    assert_eq!(
        shell.stdout("create clusterrole c --verb=get --non-resource-url=/logs/*".replace('*', "").as_str()),
        "clusterrole.rbac.authorization.k8s.io/c created\n"
    );
    let line = "create rolebinding b --role=r --serviceaccount=default:app --user=ann";
    assert_eq!(shell.stdout(line), "rolebinding.rbac.authorization.k8s.io/b created\n");
    assert_eq!(shell.value("RoleBinding", "b", "/subjects/1/namespace"), "default");
    assert_eq!(shell.stderr("create rolebinding x"), "error: exactly one of clusterrole or role must be specified\n");
    assert_eq!(
        shell.stdout("create clusterrolebinding cb --clusterrole=c --group=g"),
        "clusterrolebinding.rbac.authorization.k8s.io/cb created\n"
    );
    assert_eq!(shell.stdout("create quota q --hard=pods=2 --scopes=BestEffort"), "resourcequota/q created\n");
    assert_eq!(
        shell.stdout("create pdb p --selector=app=web --min-available=50%"),
        "poddisruptionbudget.policy/p created\n"
    );
    assert_eq!(shell.value("PodDisruptionBudget", "p", "/spec/minAvailable"), "50%");
    assert_eq!(
        shell.stderr("create pdb x --selector=a=b"),
        "error: one of min-available or max-unavailable must be specified\n"
    );
}

#[test]
fn ingresses_are_made_of_rules() {
    let mut shell = Shell::default();
    let line =
        "create ingress i --class=nginx --rule='a.com/x*=web:80,tls=cert' --rule=a.com/=web:http --annotation=a=b";
    assert_eq!(shell.stdout(line), "ingress.networking.k8s.io/i created\n");
    assert_eq!(shell.value("Ingress", "i", "/spec/rules/0/http/paths/0/pathType"), "Prefix");
    assert_eq!(shell.value("Ingress", "i", "/spec/rules/0/http/paths/1/backend/service/port/name"), "http");
    assert_eq!(shell.value("Ingress", "i", "/spec/tls/0/hosts/0"), "a.com");
    assert_eq!(
        shell.stderr("create ingress x --rule=a"),
        "error: rule a is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]\n"
    );
}

#[test]
fn what_is_not_known_is_refused_in_kubectls_words() {
    let mut shell = Shell::default();
    assert_eq!(
        shell.stderr("create foo bar"),
        "error: Unexpected args: [foo bar]\nSee 'kubectl create -h' for help and examples\n"
    );
    assert_eq!(shell.stderr("create"), "error: must specify one of -f and -k\n");
    assert_eq!(
        shell.stderr("create ns a --nope"),
        "error: unknown flag: --nope\nSee 'kubectl create namespace --help' for usage.\n"
    );
    assert!(
        shell
            .stderr("lable pod a")
            .starts_with("error: unknown command \"lable\" for \"kubectl\"\n\nDid you mean this?")
    );
    assert_eq!(
        shell.stderr("create ns a --dry-run=x"),
        "error: Invalid dry-run value (x). Must be \"none\", \"server\", or \"client\".\n"
    );
    assert_eq!(shell.stdout("-n default create cm a --from-literal=a=b"), "configmap/a created\n");
}
