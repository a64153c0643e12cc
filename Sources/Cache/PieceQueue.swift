/// Pieces in their order, of which the first may be dropped. They are counted from the first that there ever was.
struct PieceQueue {
    private var pieces: [[UInt8]] = []
    /// How many places at the front of `pieces` are empty.
    private var emptyCount = 0
    /// How many pieces were dropped.
    private(set) var start = 0
    /// The bytes of those that are here.
    private(set) var byteCount = 0
    /// The same without the last of them.
    var byteCountBeforeLast: Int { byteCount - (pieces.last?.count ?? 0) }

    /// One more than the last piece's number.
    var end: Int { start + pieces.count - emptyCount }

    subscript(_ number: Int) -> [UInt8] { pieces[number - start + emptyCount] }

    mutating func append(_ piece: [UInt8]) {
        pieces.append(piece)
        byteCount += piece.count
    }

    /// Moves the others only now and then, so that a long queue costs no more than a short one.
    mutating func dropFirst() {
        byteCount -= pieces[emptyCount].count
        pieces[emptyCount] = []
        emptyCount += 1
        start += 1
        if emptyCount >= 64, emptyCount * 2 >= pieces.count {
            pieces.removeFirst(emptyCount)
            emptyCount = 0
        }
    }

    mutating func dropAll() {
        start = end
        pieces = []
        emptyCount = 0
        byteCount = 0
    }
}
