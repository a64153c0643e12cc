import Base
import Testing

struct MetricsTests {
    @Test func `counters, gauges and histograms appear in Prometheus's text format`() {
        let metrics = Metrics()
        let requests = metrics.counter("requests_total", "Requests.", ["route": "a\"b", "status": "200"])
        requests.add()
        requests.add(2)
        metrics.gauge("open", "Open.") { 1.5 }
        let latency = metrics.histogram("latency_seconds", "Latency.", ["route": "x"])
        latency.observe(.milliseconds(1))
        latency.observe(.milliseconds(2))
        latency.observe(.seconds(100))
        let lines = String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.contains("# TYPE requests_total counter"))
        #expect(lines.contains(#"requests_total{route="a\"b",status="200"} 3"#))
        #expect(lines.contains("open 1.5"))
        #expect(lines.contains(#"latency_seconds_bucket{route="x",le="0.0005"} 0"#))
        #expect(lines.contains(#"latency_seconds_bucket{route="x",le="0.001"} 1"#))
        #expect(lines.contains(#"latency_seconds_bucket{route="x",le="60"} 2"#))
        #expect(lines.contains(#"latency_seconds_bucket{route="x",le="+Inf"} 3"#))
        #expect(lines.contains(#"latency_seconds_sum{route="x"} 100.003"#))
        #expect(lines.contains(#"latency_seconds_count{route="x"} 3"#))
    }

    @Test func `a family says its help once, however many series it has`() {
        let metrics = Metrics()
        for status in ["200", "404"] {
            _ = metrics.counter("requests_total", "Requests.", ["status": status])
        }
        let text = String(decoding: metrics.render(), as: UTF8.self)
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("# HELP") }.count == 1)
        #expect(text.contains("requests_total{status=\"404\"} 0"))
    }
}
