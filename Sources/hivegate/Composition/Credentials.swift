import Base

/// The file from which scripts and people learn how to use a local Hivegate.
struct Credentials {
    var url: String
    var key: Secret
    var ownerEmail: String
    var ownerPassword: Secret

    static func path(in directory: String) -> String { "\(directory)/credentials.env" }

    /// `nil` where there is no file, or it is not whole.
    static func read(in directory: String) -> Credentials? {
        guard let content = Files.read(path(in: directory)) else { return nil }
        var values: [String: String] = [:]
        for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        guard let url = values["HIVEGATE_URL"], let key = values["HIVEGATE_API_KEY"],
            let email = values["HIVEGATE_OWNER_EMAIL"], let password = values["HIVEGATE_OWNER_PASSWORD"]
        else { return nil }
        return Credentials(url: url, key: Secret(key), ownerEmail: email, ownerPassword: Secret(password))
    }

    func write(in directory: String) throws(SystemError) {
        try Files.write(Array("\(text)\n".utf8), to: Self.path(in: directory), mode: 0o600)
    }

    var text: String {
        """
        HIVEGATE_URL=\(url)
        HIVEGATE_API_KEY=\(key.reveal())
        HIVEGATE_OWNER_EMAIL=\(ownerEmail)
        HIVEGATE_OWNER_PASSWORD=\(ownerPassword.reveal())
        """
    }
}
