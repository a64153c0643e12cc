import Base
import Gateway
import HTTPWire
import Identity
import JSON

/// Makes requests of one organization's people up, out of the route table, strewn with what names another organization:
/// its identifiers and its addresses, everywhere where something can be said. Its canary, which only its own people
/// can know, is in none.
struct RequestFuzzer {
    struct Request {
        var method: String
        var path: String
        var credential: ManagementWorld.Credential
        var fields: [(name: String, value: String)]
        var body: String?
        /// Whether its credential was good when the cast was made.
        var isKnown: Bool
    }

    private static let endpoints = RouteTable.endpoints.filter(\.isChecked)
    /// Each costs a password's hash. One in a hundred is enough.
    private static let slow: Set = [
        "register", "login", "resetPassword", "changePassword", "removeSecondFactor",
    ]
    /// These end what the run needs, when they are aimed at one's own.
    private static let deadly: Set = [
        "deleteOrganization", "leaveOrganization", "logout", "transferOwnership",
    ]

    private var random: SeededGenerator
    private let other: Cast
    /// What names the other organization.
    private let names: [String]

    init(seed: UInt64, other: Cast) {
        random = SeededGenerator(seed: seed)
        self.other = other
        let kinds = ObjectKind.allCases.flatMap { kind in Role.allCases.map { other.object(kind, of: $0) } }
        let people = other.actors.values.map(\.user) + [other.bystander]
        names =
            Set(kinds + people).map(\.description).sorted()
            + ["owner", "admin", "member", "viewer", "guest"].map { "\($0).\(other.handle)@example.com" }
    }

    mutating func next(for cast: Cast) -> Request {
        var endpoint = pick(Self.endpoints)
        while Self.slow.contains(endpoint.name), !chance(1, in: 100) { endpoint = pick(Self.endpoints) }
        let role = pick(Role.allCases)
        let actor = cast.actor(role)
        let strays = Self.deadly.contains(endpoint.name) || chance(1, in: 2)
        var path = endpoint.path
        for parameter in endpoint.parameters {
            path = path.replacing(
                "{\(parameter.name)}", with: value(of: parameter, cast, role, strays: strays))
        }
        path += query(endpoint)
        // Whoever logs out is of no more use.
        let credential: ManagementWorld.Credential =
            endpoint.name == "logout"
            ? .bearer("none") : chance(1, in: 3) ? .bearer(actor.keyText) : .bearer(actor.token)
        return Request(
            method: "\(endpoint.method)", path: path, credential: credential, fields: fields(),
            body: body(endpoint), isKnown: endpoint.name != "logout" && endpoint.access != .open)
    }

    // MARK: Parts

    private mutating func value(
        of parameter: PathParameter, _ cast: Cast, _ role: Role, strays: Bool
    ) -> String {
        guard case .object(let kind) = parameter.kind else { return parameter.example }
        guard strays else { return cast.object(kind, of: role).description }
        return switch random.next(upperBound: UInt64(4)) {
        case 0: pick(names).replacing("@", with: "%40")
        case 1: cast.object(kind, of: role).description + "%00" + other.organization.description
        default: other.object(kind, of: pick(Role.allCases)).description
        }
    }

    private mutating func query(_ endpoint: Endpoint) -> String {
        guard chance(1, in: 4) else { return "" }
        let known = endpoint.query.map(\.name)
        let name =
            known.isEmpty || chance(1, in: 3)
            ? pick(["organization_id", "org_id", "tenant", "user_id"]) : pick(known)
        return "?\(name)=\(pick(names).replacing("@", with: "%40"))"
    }

    private mutating func fields() -> [(name: String, value: String)] {
        guard chance(1, in: 4) else { return [] }
        let name = pick([
            "X-Organization-Id", "X-Org-Id", "OpenAI-Organization", "X-Forwarded-User", "X-Tenant",
        ])
        return [(name, pick(names))]
    }

    /// The example, with some texts of it replaced and some fields added.
    private mutating func body(_ endpoint: Endpoint) -> String? {
        guard let example = endpoint.body?.example,
            let document = try? JSONDocument(parsing: Array(example.utf8))
        else { return chance(1, in: 20) ? #"{"organization_id":"\#(other.organization)"}"# : nil }
        var json = JSONWriter()
        json.object { json in
            for member in document.root.members {
                json.key(dynamic: member.key.string)
                if member.value.string != nil, chance(1, in: 3) {
                    json.value(pick(names))
                } else {
                    json.value(member.value)
                }
            }
            if chance(1, in: 6) {
                json.key(
                    dynamic: pick(["organization_id", "org_id", "user_id", "id", "owner", "invited_by"]))
                json.value(pick(names))
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(random.next(upperBound: UInt64(elements.count)))]
    }

    private mutating func chance(_ some: UInt64, in all: UInt64) -> Bool {
        random.next(upperBound: all) < some
    }
}
