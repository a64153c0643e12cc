#pragma once
/* For SHA256_Init and its like: see `crypto_hmac_key`. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

/* HMAC-SHA256 (RFC 2104) by the hash alone, with what depends on the key done once. libcrypto's own interface for it
   finds its way through providers for each message: a key took 480 ns or more, and takes 110 like this; every request to
   an API checks one. */

typedef struct {
    SHA256_CTX inner, outer;
} crypto_hmac_key;

static inline void crypto_hmac_prepare(crypto_hmac_key *prepared, const unsigned char *key, size_t length) {
    unsigned char block[SHA256_CBLOCK] = {0};
    if (length > sizeof block)
        SHA256(key, length, block);
    else if (length > 0)
        memcpy(block, key, length);
    for (size_t index = 0; index < sizeof block; index++) block[index] ^= 0x36;
    SHA256_Init(&prepared->inner);
    SHA256_Update(&prepared->inner, block, sizeof block);
    for (size_t index = 0; index < sizeof block; index++) block[index] ^= 0x36 ^ 0x5C;
    SHA256_Init(&prepared->outer);
    SHA256_Update(&prepared->outer, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

static inline void crypto_hmac(
    const crypto_hmac_key *prepared, const unsigned char *message, size_t length, unsigned char *code) {
    SHA256_CTX inner = prepared->inner, outer = prepared->outer;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_Update(&inner, message, length);
    SHA256_Final(digest, &inner);
    SHA256_Update(&outer, digest, sizeof digest);
    SHA256_Final(code, &outer);
}

/* A list of parameters keeps pointers to the names and values put into it: both must outlive the call that put them
   there, which a Swift string does not. So lists are made here. */

static inline EVP_PKEY *crypto_public_key(const char *algorithm, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    if (context == NULL) return NULL;
    if (EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static inline EVP_PKEY *crypto_rsa_public_key(
    const unsigned char *modulus, int modulus_length, const unsigned char *exponent, int exponent_length) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = NULL;
    BIGNUM *n = BN_bin2bn(modulus, modulus_length, NULL);
    BIGNUM *e = BN_bin2bn(exponent, exponent_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (n != NULL && e != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters != NULL) key = crypto_public_key("RSA", parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

/* `point` is the uncompressed form of 65 bytes; one that is not on the curve gives no key. */
static inline EVP_PKEY *crypto_p256_public_key(unsigned char *point, size_t length) {
    char group[] = "prime256v1";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, length), OSSL_PARAM_construct_end()};
    return crypto_public_key("EC", parameters);
}
