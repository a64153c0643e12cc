/// That there is not the money for a request. Nothing was taken anywhere.
package struct Shortage: Equatable, Sendable {
    /// The one that stands in the way longest; of several such, the one that lacks most.
    package var limit: MoneyLimit
    package var reason: Reason
    /// Nano-dollars that a smaller request could hold at once on all limits; 0 if none.
    package var affordable: Int64

    package init(_ limit: MoneyLimit, _ reason: Reason, affordable: Int64) {
        self.limit = limit
        self.reason = reason
        self.affordable = affordable
    }

    /// From what time heals to what it does not.
    package enum Reason: Int, Sendable {
        /// The database does not answer.
        case unavailable
        /// It would fit if what requests under way hold, and do not need, were back.
        case heldByOthers
        case spent
        /// More than there is at most.
        case neverFits
    }
}

extension Shortage {
    /// - Parameter rooms: of those of `limits` that the database was asked about; of the others there is enough.
    init(
        _ limits: [MoneyLimit], need: Int64, _ rooms: [LimitRoom?], _ holdings: [MoneySlices.Slice]?
    ) {
        var worst: (limit: MoneyLimit, reason: Reason, lack: Int64)?
        var affordable = Int64.max
        for (place, limit) in limits.enumerated() {
            guard let room = rooms[place] else { continue }
            let slice = holdings?[place] ?? MoneySlices.Slice(left: 0, held: 0)
            let most = room.room + slice.left
            affordable = min(affordable, max(0, most))
            guard most < need else { continue }
            // Without Redis nobody knows what of all that was granted is spent.
            let comesBack = holdings == nil ? room.granted : slice.held
            let reason: Reason =
                room.isOver
                ? .spent : need > room.cap ? .neverFits : need <= most + comesBack ? .heldByOthers : .spent
            let lack = need - most
            if let worst, (worst.reason.rawValue, worst.lack) >= (reason.rawValue, lack) { continue }
            worst = (limit, reason, lack)
        }
        // Where nothing lacks any more, others take it faster than it comes.
        self.init(
            worst?.limit ?? limits[0], worst?.reason ?? .heldByOthers,
            affordable: affordable == .max ? 0 : min(affordable, need))
    }
}
