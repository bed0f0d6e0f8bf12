//! The certificates that a kubeconfig gives, as data or as files: the server's authority, and the user's own
//! certificate with its key.

use std::path::{Path, PathBuf};

use base64::Engine;
use kube::config::{AuthInfo, Cluster};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::clients::secret::Secret;
use crate::fleet::{Fault, FaultKind, Step};

pub struct Material {
    authority: Option<Place>,
    certificate: Option<Place>,
    key: Option<Place>,
}

/// Where one is. Data comes before a file, as with kubectl.
enum Place {
    Data(Secret),
    File(PathBuf),
}

/// What was read.
pub struct Read {
    /// DER.
    pub authority: Option<Vec<Vec<u8>>>,
    /// PEM of the certificate and of its key, in base64, as kube takes it.
    pub identity: Option<(String, Secret)>,
}

impl Material {
    pub fn of(cluster: &Cluster, user: &AuthInfo) -> Self {
        let place = |data: Option<Secret>, file: &Option<String>| {
            let file = file.as_ref().filter(|file| !file.is_empty());
            let data = data.filter(|data| !data.is_empty());
            data.map(Place::Data).or_else(|| Some(Place::File(file?.into())))
        };
        let secret = |data: &Option<String>| data.clone().map(Secret::new);
        Self {
            authority: place(secret(&cluster.certificate_authority_data), &cluster.certificate_authority),
            certificate: place(secret(&user.client_certificate_data), &user.client_certificate),
            key: place(user.client_key_data.as_ref().map(Secret::from), &user.client_key),
        }
    }

    /// What may change without a change of the kubeconfig.
    pub fn files(&self) -> Vec<PathBuf> {
        let places = [&self.authority, &self.certificate, &self.key].into_iter().flatten();
        let files = places.filter_map(|place| match place {
            Place::File(path) => Some(path.clone()),
            Place::Data(_) => None,
        });
        files.collect()
    }

    /// Reads files, so it may take as long as their file system does.
    pub fn read(&self) -> Result<Read, Fault> {
        let authority = self.authority.as_ref().map(authority).transpose()?;
        let own = "the client certificate";
        let key = "the key of the client certificate";
        let encoded = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let identity = match (&self.certificate, &self.key) {
            (None, None) => None,
            (Some(_), None) => return Err(wrong(format!("{key} is missing"))),
            (None, Some(_)) => return Err(wrong(format!("{own} is missing, and its key is there"))),
            (Some(certificate), Some(secret)) => {
                let (certificate, secret) = (certificate.bytes(own)?, secret.bytes(key)?);
                if CertificateDer::pem_slice_iter(&certificate).next().is_none() {
                    return Err(wrong(format!("{own} is no certificate")));
                }
                // One of the two may lack its last line's end; kube puts them together.
                let whole = [&certificate[..], b"\n"].concat();
                Some((encoded(&whole), Secret::new(encoded(&[&secret[..], b"\n"].concat()))))
            }
        };
        Ok(Read { authority, identity })
    }

    /// The PEM of the user's certificate.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.certificate.as_ref()?.bytes("").ok()
    }
}

fn authority(place: &Place) -> Result<Vec<Vec<u8>>, Fault> {
    const WHOSE: &str = "the certificate authority";
    let bytes = place.bytes(WHOSE)?;
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes).map(|it| it.map(|it| it.to_vec())).collect();
    certificates
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| wrong(format!("{WHOSE} is no certificate")))
}

impl Place {
    fn bytes(&self, whose: &str) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Data(data) => {
                let text: String = data.expose().split_whitespace().collect();
                let decoded = base64::engine::general_purpose::STANDARD.decode(text);
                decoded.map_err(|_| wrong(format!("{whose} is not base64")))
            }
            Self::File(path) => read(path).map_err(|error| {
                wrong(format!("{whose} {} cannot be read: {}", path.display(), error.kind()))
            }),
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

fn wrong(words: String) -> Fault {
    Fault::new(Step::Configure, FaultKind::Configuration, words)
}
