/// What a client asks of a model that draws.
package struct ImageRequest: Equatable, Sendable {
    /// As the client names it.
    package var model: String
    package var prompt: String
    /// What shall not be in it.
    package var negativePrompt: String?
    package var count = 1
    package var size: Size?
    /// `low`, `high`, `hd`: in the words of the model.
    package var quality: String?
    package var background: Background?
    /// `vivid`, `natural`.
    package var style: String?
    /// `png`, `jpeg`, `webp`: nil for what the model gives.
    package var format: String?
    /// From 0 to 100, for formats that lose something.
    package var compression: Int?
    /// How the client wants to have them; nil for what the model gives.
    package var delivery: Delivery?
    package var moderation: String?
    package var seed: Int?
    /// Whose request it is, for the provider's watch over abuse.
    package var user: String?

    /// More than this in one request are refused.
    package static let largestCount = 10

    package enum Size: Equatable, Sendable {
        case auto
        case pixels(width: Int, height: Int)

        /// `auto`, or `1024x1536`.
        package init?(_ text: String) {
            if text == "auto" {
                self = .auto
                return
            }
            let sides = text.utf8.split(separator: UInt8(ascii: "x"), omittingEmptySubsequences: false)
                .map { side -> Int? in
                    guard (1...5).contains(side.count), side.allSatisfy({ (0x30...0x39).contains($0) }) else {
                        return nil
                    }
                    return side.reduce(0) { $0 * 10 + Int($1 - 0x30) }
                }
            guard sides.count == 2, let width = sides[0], let height = sides[1], width > 0, height > 0 else {
                return nil
            }
            self = .pixels(width: width, height: height)
        }

        package var text: String {
            switch self {
            case .auto: "auto"
            case .pixels(let width, let height): "\(width)x\(height)"
            }
        }
    }

    package enum Background: String, CaseIterable, Sendable {
        case auto, opaque, transparent
    }

    package enum Delivery: String, CaseIterable, Sendable {
        case url
        case base64 = "b64_json"
    }

    package init(model: String, prompt: String) {
        self.model = model
        self.prompt = prompt
    }
}
