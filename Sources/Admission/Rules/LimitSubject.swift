package import Base

/// Whom or what a limit is about.
package enum LimitSubject: Hashable, Sendable {
    case organization
    case user(UUID)
    case key(UUID)
    case model(String)
    /// Each model that no rule names. It is shown; what is counted is a model.
    case eachModel
    case group(EndpointGroup)
    /// Requests whose client says so: `team=search`. Only money is limited by it.
    case tag(String)
    /// Who is not known otherwise. Belongs to no organization, and no rule names it.
    case address(IPAddress)

    /// As errors and the database have it: `user:0199…`.
    package var text: String {
        switch self {
        case .organization: "organization"
        case .user(let user): "user:\(user)"
        case .key(let key): "key:\(key)"
        case .model(let model): "model:\(model)"
        case .eachModel: "model"
        case .group(let group): "group:\(group.rawValue)"
        case .tag(let tag): "tag:\(tag)"
        case .address(let address): "address:\(address)"
        }
    }

    /// Where its counts are, among the fields of the organization.
    var field: [UInt8] {
        switch self {
        case .organization: Array("o".utf8)
        case .user(let user): Array("u\(user)".utf8)
        case .key(let key): Array("k\(key)".utf8)
        case .model(let model): Array("m\(model)".utf8)
        case .eachModel: preconditionFailure("each model has counts of its own")
        case .group(let group): Array("e\(group.rawValue)".utf8)
        case .tag: preconditionFailure("only money is limited by a tag")
        case .address: Array("a".utf8)
        }
    }
}

extension LimitSubject {
    /// Whose money a limit is about, as the database has it; nil where that cannot be read.
    package init?(ofMoney text: String) {
        if text == "organization" {
            self = .organization
            return
        }
        guard let colon = text.utf8.firstIndex(of: 0x3A) else { return nil }
        let name = text[text.index(after: colon)...]
        switch text[..<colon] {
        case "user": if let user = UUID(name) { self = .user(user) } else { return nil }
        case "key": if let key = UUID(name) { self = .key(key) } else { return nil }
        case "model": self = .model(String(name))
        case "tag": self = .tag(String(name))
        case "group":
            if let group = EndpointGroup(rawValue: String(name)) { self = .group(group) } else { return nil }
        default: return nil
        }
    }
}

extension LimitSubject: CustomStringConvertible {
    package var description: String { text }
}
