//! How long reading takes.
use super::read;

/// `cargo test --release --lib manifest::tests::speed -- --ignored --nocapture`
#[test]
#[ignore = "measures time"]
fn speed() {
    let mut container = String::new();
    for number in 0..3 {
        container += &format!(
            "      - name: c{number}\n        image: \"registry.example.com/team/app:{number}.2.3\"\n        ports:\n        - \
             containerPort: 80{number}0\n          name: http\n        env:\n        - name: MODE\n          value: \
             \"prod\"\n        resources:\n          requests: {{cpu: 100m, memory: 128Mi}}\n        \
             volumeMounts:\n        \
             - name: data\n          mountPath: /var/lib/data\n"
        );
    }
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  labels:\n    \
        app: web\nspec:\n  replicas: 3\n  selector:\n    \
         matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      \
         containers:\n{container}      volumes:\n      - name: data\n        \
         persistentVolumeClaim:\n          claimName: data\n"
    );
    let rounds = 5000;
    let time = |work: &dyn Fn()| {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let start = std::time::Instant::now();
            (0..rounds).for_each(|_| work());
            best = best.min(start.elapsed().as_secs_f64() / f64::from(rounds) * 1e6);
        }
        best
    };
    let ours = time(&|| drop(std::hint::black_box(read("f", text.as_bytes()))));
    let serde = time(&|| drop(std::hint::black_box(serde_yaml::from_str::<serde_yaml::Value>(&text))));
    let located = time(&|| {
        let manifest = read("f", text.as_bytes());
        std::hint::black_box(manifest.documents[0].locate("spec.template.spec.containers[2].name"));
    });
    println!(
        "{} bytes: read {ours:.1} µs, read + locate {located:.1} µs, serde_yaml {serde:.1} µs, ratio {:.2}",
        text.len(),
        ours / serde
    );
}
