package import Base

/// Whom or what a limit is about.
package enum LimitSubject: Hashable, Sendable, CustomStringConvertible {
    case organization
    case user(UUID)
    case key(UUID)
    case model(String)
    /// Each model that no rule names. It is shown; what is counted is a model.
    case eachModel
    case group(EndpointGroup)

    /// `user:0199…`: as what is used is counted under.
    package var description: String {
        switch self {
        case .organization: "organization"
        case .user(let user): "user:\(user)"
        case .key(let key): "key:\(key)"
        case .model(let model): "model:\(model)"
        case .eachModel: "model"
        case .group(let group): "group:\(group.rawValue)"
        }
    }
}
