#include "vault.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"

#define MASTER_FILE "master.key"
#define VAULT_FILE "vault"
#define NONCE_LEN 12
#define TAG_LEN 16

static const uint8_t purpose[] = "vedette agent vault 1"; /* authenticated with it */

static int load(struct file_port *files, const char *path, size_t max, struct buf *ret)
{
    bool old = false;
    return file_load_small(files, path, max, ret, &old);
}

/* Twice, so that the copy before it is the same: were it an older one, damage to the
 * newest could bring back a removed account, or the state in which anybody may make
 * the first administrator. */
static int save(struct file_port *files, const char *path, const void *bytes, size_t len)
{
    int err = file_save_small(files, path, bytes, len);
    return err ? err : file_save_small(files, path, bytes, len);
}

int vault_open(struct vault *v, struct file_port *files)
{
    BUF(key, 64);
    *v = (struct vault){.files = files};
    int err = load(files, MASTER_FILE, 64, &key);
    if (err == -ENOENT) {
        /* A vault without its key is damage, not a new camera. */
        BUF(sealed, VAULT_MAX + 64);
        err = load(files, VAULT_FILE, sealed.max, &sealed);
        if (err != -ENOENT)
            return err ? err : -EBADMSG;
        random_bytes(v->master, sizeof(v->master));
        return save(files, MASTER_FILE, v->master, sizeof(v->master));
    }
    if (err)
        return err;
    if (key.len != sizeof(v->master))
        return -EBADMSG;
    memcpy(v->master, key.data, sizeof(v->master));
    OPENSSL_cleanse(key.data, key.len);
    return 0;
}

void vault_close(struct vault *v)
{
    OPENSSL_cleanse(v->master, sizeof(v->master));
}

static int unseal(const struct vault *v, const uint8_t *sealed, size_t len, struct buf *ret)
{
    if (len < NONCE_LEN + TAG_LEN || len - NONCE_LEN - TAG_LEN > VAULT_MAX)
        return -EBADMSG;
    const uint8_t *tag = sealed + NONCE_LEN, *secret = tag + TAG_LEN;
    int secret_len = (int)(len - NONCE_LEN - TAG_LEN), n = 0, end = 0;
    if (buf_reserve(ret, (size_t)secret_len) < 0)
        return -ENOMEM;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, v->master, sealed) == 1 &&
              EVP_DecryptUpdate(c, NULL, &n, purpose, sizeof(purpose) - 1) == 1 &&
              EVP_DecryptUpdate(c, (uint8_t *)ret->data, &n, secret, secret_len) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, (void *)tag) == 1 &&
              EVP_DecryptFinal_ex(c, (uint8_t *)ret->data + n, &end) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!ok)
        return -EBADMSG;
    ret->len = (size_t)n;
    ret->data[ret->len] = '\0';
    return 0;
}

int vault_load(struct vault *v, struct buf *ret)
{
    BUF(sealed, VAULT_MAX + 64);
    int err = load(v->files, VAULT_FILE, sealed.max, &sealed);
    return err ? err : unseal(v, (const uint8_t *)sealed.data, sealed.len, ret);
}

int vault_save(struct vault *v, const void *bytes, size_t len)
{
    BUF(sealed, VAULT_MAX + 64);
    if (len > VAULT_MAX || buf_reserve(&sealed, NONCE_LEN + TAG_LEN + len) < 0)
        return -ENOMEM;
    uint8_t *nonce = (uint8_t *)sealed.data, *tag = nonce + NONCE_LEN, *secret = tag + TAG_LEN;
    random_bytes(nonce, NONCE_LEN);
    int n = 0, end = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, v->master, nonce) == 1 &&
              EVP_EncryptUpdate(c, NULL, &n, purpose, sizeof(purpose) - 1) == 1 &&
              EVP_EncryptUpdate(c, secret, &n, bytes, (int)len) == 1 &&
              EVP_EncryptFinal_ex(c, secret + n, &end) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!ok)
        return -EIO;
    return save(v->files, VAULT_FILE, sealed.data, NONCE_LEN + TAG_LEN + len);
}
