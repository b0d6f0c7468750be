use crate::timeline::testing::Shell;

fn shell() -> Shell {
    Shell::with("create deployment web --image=nginx --image=redis")
}

const CONTAINERS: &str = "/spec/template/spec/containers";

#[test]
fn images_are_set_by_container() {
    let mut shell = shell();
    assert_eq!(shell.stdout("set image deploy/web nginx=nginx:1.28"), "deployment.apps/web image updated\n");
    assert_eq!(shell.stdout("set image deploy/web nginx=nginx:1.28"), "");
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/0/image")), "nginx:1.28");
    assert_eq!(shell.stdout("set image deploy web '*=busybox'"), "deployment.apps/web image updated\n");
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/1/image")), "busybox");
    assert_eq!(shell.stderr("set image deploy/web x=y"), "error: unable to find container named \"x\"\n");
    assert_eq!(shell.stderr("set image deploy/web"), "error: at least one image update is required\n");
    assert_eq!(
        shell.stderr("set image deploy/none a=b"),
        "Error from server (NotFound): deployments.apps \"none\" not found\n"
    );
}

#[test]
fn variables_are_set_and_removed() {
    let mut shell = shell();
    assert_eq!(shell.stdout("set env deploy/web A=1 B=2 -c nginx"), "deployment.apps/web env updated\n");
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/0/env/1/value")), "2");
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/1/env")), "");
    assert_eq!(shell.stdout("set env deploy/web A- B=3"), "deployment.apps/web env updated\n");
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/0/env/0/value")), "3");
    shell.stdout("create configmap app --from-literal=web-port=80");
    assert_eq!(
        shell.stdout("set env deploy/web --from=configmap/app --prefix=X_"),
        "deployment.apps/web env updated\n"
    );
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/1/env/1/name")), "X_WEB_PORT");
    let key = format!("{CONTAINERS}/1/env/1/valueFrom/configMapKeyRef/key");
    assert_eq!(shell.value("Deployment", "web", &key), "web-port");
}

#[test]
fn resources_and_the_service_account_are_set() {
    let mut shell = shell();
    let line = "set resources deploy web --limits=cpu=200m,memory=512Mi --requests=cpu=100m -c=redis";
    assert_eq!(shell.stdout(line), "deployment.apps/web resource requirements updated\n");
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/1/resources/limits/memory")), "512Mi");
    assert_eq!(shell.value("Deployment", "web", &format!("{CONTAINERS}/0/resources")), "{}");
    assert_eq!(
        shell.stderr("set resources deploy web"),
        "error: you must specify an update to requests or limits (in the form of --requests/--limits)\n"
    );
    shell.stdout("create sa app");
    assert_eq!(shell.stdout("set serviceaccount deploy web app"), "deployment.apps/web serviceaccount updated\n");
    assert_eq!(shell.value("Deployment", "web", "/spec/template/spec/serviceAccountName"), "app");
}
