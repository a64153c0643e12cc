import Base
import Identity
package import Providers

/// Finds who may answer for the model that a client names.
package struct ModelRouter: Sendable {
    let upstreams: [Upstream]
    private let byName: [String: Upstream]

    package init(_ upstreams: [Upstream]) {
        self.upstreams = upstreams
        byName = Dictionary(upstreams.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Those who may, the best first; never none.
    func candidates(for name: String, caller: Caller) throws(Problem) -> [Candidate] {
        guard caller.mayUse(model: name) else {
            throw Problem(
                .forbidden, code: "model_not_allowed",
                "This API key may not use the model \"\(name.prefix(100))\". Ask an admin of the organization.",
                field: "model")
        }
        if let model = SandboxModel(id: name) {
            return [Candidate(id: name, place: .sandbox(model), target: ChatTarget(model: model.rawValue))]
        }
        if let slash = name.firstIndex(of: "/"), let upstream = byName[String(name[..<slash])] {
            let model = String(name[name.index(after: slash)...])
            if !model.isEmpty {
                return [Candidate(id: name, place: .upstream(upstream), target: ChatTarget(model: model))]
            }
        }
        throw Problem(
            .notFound, code: "model_not_found",
            "There is no model \"\(name.prefix(100))\". GET /v1/models lists those there are.",
            field: "model")
    }
}
