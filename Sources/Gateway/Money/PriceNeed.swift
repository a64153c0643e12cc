import Base
import Catalog

/// Which prices of a model must be known before it is asked.
enum PriceNeed: Sendable {
    case nothing
    case conversation
    case vectors
    case images

    func isMet(by candidate: Candidate) -> Bool {
        if self == .nothing { return true }
        guard let price = candidate.price?.price else { return false }
        return switch self {
        case .nothing: true
        case .conversation: price.input != nil && price.output != nil
        case .vectors: price.input != nil
        case .images: price.image != nil || price.imageOutput != nil || price.isFree
        }
    }
}

extension Gateway {
    /// What must be known for `need`, where anything must.
    func prices(for need: PriceNeed) -> PriceNeed { limits.requiresPrices ? need : .nothing }
}

extension Problem {
    /// Nobody who could answer for the model has a price for what is asked.
    static func unpriced(_ model: String, _ what: String = "", field: String = "model") -> Problem {
        Problem(
            .unprocessable, code: "model_unpriced",
            "The price of \"\(model.prefix(100))\"\(what) is not known, and nothing is asked here whose price is not, "
                + "with whosever key. Choose another model, or ask whoever operates this gateway to enter its price.",
            field: field)
    }
}
