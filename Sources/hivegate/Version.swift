/// The release this is. `CHANGELOG.md` says what each holds.
enum Version {
    static let current = "0.1.0"
}
