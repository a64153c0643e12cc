import Base

/// A password hash taken apart. What is out of bounds is no hash: one comparison must not take all memory, or minutes.
struct PasswordHashParts: Equatable, Sendable {
    private static let argon2Name = "argon2id"
    private static let wrappedName = "argon2id-pbkdf2"

    /// What is made of the password before Argon2.
    struct PBKDF2Step: Equatable, Sendable {
        var iterations: Int
        var salt: [UInt8]
        var length: Int

        var isInBounds: Bool {
            (1...2_000_000).contains(iterations) && (1...128).contains(salt.count)
                && (16...64).contains(length)
        }
    }

    var pbkdf2: PBKDF2Step?
    var cost: Argon2.Cost
    var salt: [UInt8]
    var hash: [UInt8]

    init(pbkdf2: PBKDF2Step?, cost: Argon2.Cost, salt: [UInt8], hash: [UInt8]) {
        self.pbkdf2 = pbkdf2
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    init?(parsing text: String) {
        var fields = text.split(separator: "$", omittingEmptySubsequences: false)[...]
        guard fields.popFirst() == "" else { return nil }
        switch fields.popFirst() {
        case Self.argon2Name[...]: pbkdf2 = nil
        case Self.wrappedName[...]:
            guard let numbers = Self.numbers(fields.popFirst(), named: ["i", "l"]),
                let salt = fields.popFirst().flatMap({ Base64.decodeUnpadded($0) })
            else { return nil }
            let step = PBKDF2Step(iterations: numbers[0], salt: salt, length: numbers[1])
            guard step.isInBounds else { return nil }
            pbkdf2 = step
        default: return nil
        }
        guard fields.count == 4, Self.numbers(fields.popFirst(), named: ["v"]) == [Argon2.version],
            let numbers = Self.numbers(fields.popFirst(), named: ["m", "t", "p"]),
            (1...16).contains(numbers[2]), (8 * numbers[2]...262_144).contains(numbers[0]),
            (1...16).contains(numbers[1]),
            let salt = fields.popFirst().flatMap({ Base64.decodeUnpadded($0) }),
            (8...64).contains(salt.count),
            let hash = fields.popFirst().flatMap({ Base64.decodeUnpadded($0) }),
            (16...64).contains(hash.count)
        else { return nil }
        cost = Argon2.Cost(
            memoryKiB: UInt32(numbers[0]), passes: UInt32(numbers[1]), lanes: UInt32(numbers[2]))
        self.salt = salt
        self.hash = hash
    }

    var text: String {
        var text = "$"
        if let pbkdf2 {
            text += "\(Self.wrappedName)$i=\(pbkdf2.iterations),l=\(pbkdf2.length)$"
            text += Base64.encodeUnpadded(pbkdf2.salt)
        } else {
            text += Self.argon2Name
        }
        text += "$v=\(Argon2.version)$m=\(cost.memoryKiB),t=\(cost.passes),p=\(cost.lanes)"
        return text + "$\(Base64.encodeUnpadded(salt))$\(Base64.encodeUnpadded(hash))"
    }

    func matches(_ password: Secret) -> Bool {
        var message = Array(password.reveal().utf8)
        if let pbkdf2 {
            message = PBKDF2.sha256(
                message, salt: pbkdf2.salt, iterations: pbkdf2.iterations, length: pbkdf2.length)
        }
        return constantTimeEquals(
            Argon2.hash(message, salt: salt, cost: cost, length: hash.count), hash)
    }

    /// `m=19456,t=2,p=1`: exactly these names in this order, each with a number of digits only.
    private static func numbers(_ field: Substring?, named names: [String]) -> [Int]? {
        guard let pieces = field?.split(separator: ",", omittingEmptySubsequences: false),
            pieces.count == names.count
        else { return nil }
        var numbers: [Int] = []
        for (piece, name) in zip(pieces, names) {
            guard piece.hasPrefix("\(name)=") else { return nil }
            let digits = piece.dropFirst(name.count + 1)
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) else {
                return nil
            }
            numbers.append(number)
        }
        return numbers
    }
}
