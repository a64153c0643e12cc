import Base
import Catalog
import Providers

/// What an organization has of its own on the way of its requests.
final class OwnRoutes: Sendable {
    static let none = OwnRoutes()

    let policy: RoutePolicy
    /// The providers that it has credentials for, be they usable or not.
    let providers: Set<String>
    /// Reached with the organization's own keys.
    let upstreams: UpstreamDirectory.Snapshot
    /// Whether a provider that it has keys for is asked with the instance's too, behind its own.
    let usesInstanceKeys: Bool
    let areNone: Bool

    init(
        policy: RoutePolicy = RoutePolicy(), providers: Set<String> = [],
        upstreams: UpstreamDirectory.Snapshot = UpstreamDirectory.Snapshot([]), usesInstanceKeys: Bool = false
    ) {
        self.policy = policy
        self.providers = providers
        self.upstreams = upstreams
        self.usesInstanceKeys = usesInstanceKeys
        areNone = providers.isEmpty && policy == RoutePolicy()
    }
}

/// The upstreams that an organization's requests may go to.
struct Reach: Sendable {
    let instance: UpstreamDirectory.Snapshot
    let own: OwnRoutes

    /// The best first. Where an organization has keys of its own, nobody else's are used unless it says so.
    func upstreams(named name: String) -> [Upstream] {
        if !own.providers.contains(name) { return instance.named(name) }
        return own.upstreams.named(name) + (own.usesInstanceKeys ? instance.named(name) : [])
    }

    /// Also of the sandbox, which is in this process.
    func canAsk(_ model: CatalogModel) -> Bool {
        model.provider == SandboxModel.provider || has(model.provider)
    }

    func has(_ provider: String) -> Bool {
        !upstreams(named: provider).isEmpty
    }

    /// Each provider's, by the providers' names.
    var upstreams: [Upstream] {
        Set(own.upstreams.names).union(instance.names).sorted().flatMap { upstreams(named: $0) }
    }
}
