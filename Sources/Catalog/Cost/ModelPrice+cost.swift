import Chat

extension ModelPrice {
    /// More than this no request costs: a provider that counts so much has miscounted. The columns of the database, too,
    /// end there.
    package static let mostNanodollars: Int64 = 4_000_000_000_000_000_000

    /// What `use` costs, in nano-dollars: all of it is added up exactly and rounded half up once. nil where something was
    /// used whose price is not known, or so much that it cannot be true.
    package func cost(of use: Consumption) -> Int64? {
        guard var sum = costOfTokensAndImages(in: use),
            let requests = Self.product(use.requests, request ?? 0),
            let searches = Self.product(use.searches, search),
            let seconds = Self.product(use.seconds, second),
            let characters = Self.product(use.characters, character)
        else { return nil }
        sum += requests + searches + seconds + characters
        let nanodollars = (sum + 500) / 1000
        return nanodollars <= Int128(Self.mostNanodollars) ? Int64(nanodollars) : nil
    }

    /// An image is paid for once: by its tokens where these were told and have a price, or else as an image. A model
    /// that has a price for images and none for tokens asks nothing for what it reads.
    private func costOfTokensAndImages(in use: Consumption) -> Int128? {
        let isPaidByTokens = use.images == 0 || use.tokens.imageOutput > 0 && rate(of: .imageOutput) != nil
        var sum: Int128 = 0
        if !isPaidByTokens {
            guard let images = Self.product(use.images, image ?? (isFree ? 0 : nil)) else { return nil }
            sum = images
            if input == nil, output == nil { return sum }
        }
        let isLong = isLong(use.tokens.totalInput)
        for kind in TokenKind.allCases {
            let count = kind.count(in: use.tokens)
            if count <= 0 || kind == .imageOutput && !isPaidByTokens { continue }
            guard let part = Self.product(count, rate(of: kind, isLong: isLong)) else { return nil }
            sum += part
        }
        return sum
    }

    /// More than this nobody counts; times any price it fits 128 bits a thousand times.
    static let mostCount = 1 << 53

    /// Nothing used costs nothing, whether its price is known or not.
    static func product(_ count: Int, _ rate: Int?) -> Int128? {
        if count <= 0 { return 0 }
        guard count <= mostCount else { return nil }
        return rate.map { Int128(count) * Int128($0) }
    }
}
