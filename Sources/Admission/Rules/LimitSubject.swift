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
        case .address: Array("a".utf8)
        }
    }
}

extension LimitSubject: CustomStringConvertible {
    package var description: String { text }
}
