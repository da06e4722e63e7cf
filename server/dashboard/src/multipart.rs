//! Reads the body of a form that uploads files (`multipart/form-data`), from bytes that were bounded before.

use bitpro_base::name::is_unseen;
use bytes::Bytes;
use http::HeaderValue;
use multer::Multipart;

use super::form::Form;

/// The most parts of one form.
const MOST_PARTS: usize = 10;
/// The longest field that is no file, in bytes.
const LONGEST_FIELD: usize = 16 * 1024;
/// The most characters of a file's name that are kept.
const NAME_CHARS: usize = 100;

/// A file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The name of its field.
    pub field: String,
    /// What its owner calls it, cleaned: to be shown, never to be used as a path. Empty when they chose none.
    pub name: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// The body is no form with files, or has too many parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not multipart/form-data of at most {MOST_PARTS} parts")]
pub struct Malformed;

/// The fields and the files of `body`. The caller has bounded the body as a whole.
///
/// # Errors
/// [`Malformed`].
pub async fn read(content_type: Option<&HeaderValue>, body: Bytes) -> Result<(Form, Vec<File>), Malformed> {
    let boundary = content_type.and_then(|value| value.to_str().ok()).ok_or(Malformed)?;
    let boundary = multer::parse_boundary(boundary).map_err(|_| Malformed)?;
    let whole = futures::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let mut parts = Multipart::new(whole, boundary);
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    while let Some(part) = parts.next_field().await.map_err(|_| Malformed)? {
        if fields.len() + files.len() == MOST_PARTS {
            return Err(Malformed);
        }
        let field = part.name().ok_or(Malformed)?.to_owned();
        let name = part.file_name().map(cleaned);
        let bytes = part.bytes().await.map_err(|_| Malformed)?;
        match name {
            Some(name) => files.push(File { field, name, bytes }),
            None if bytes.len() > LONGEST_FIELD => return Err(Malformed),
            None => fields.push((field, String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)?)),
        }
    }
    Ok((fields.into_iter().collect(), files))
}

/// The last step of the path that some browsers send, without what could be mistaken for anything but a name.
fn cleaned(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // By a mark that turns the direction `gnp.exe` can be made to look like `exe.png`.
    let kept = last
        .chars()
        .filter(|c| !c.is_control() && !is_unseen(*c) && !"<>:\"|?*".contains(*c));
    let name: String = kept.take(NAME_CHARS).collect();
    name.trim().trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=edge";

    async fn parsed(content_type: &'static str, body: &[u8]) -> Result<(Form, Vec<File>), Malformed> {
        let content_type = HeaderValue::from_static(content_type);
        read(Some(&content_type), Bytes::copy_from_slice(body)).await
    }

    fn part(head: &str, body: &str) -> String {
        format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    }

    #[tokio::test]
    async fn fields_and_files_are_told_apart() {
        let body = part("name=\"csrf\"", "token")
            + &part("name=\"logo\"; filename=\"a.png\"", "\u{1}\r\n--edg")
            + "--edge--\r\n";
        let (form, files) = parsed(TYPE, body.as_bytes()).await.unwrap();
        assert_eq!(form.text("csrf"), "token");
        let [file] = &files[..] else { panic!("{files:?}") };
        assert_eq!((file.field.as_str(), file.name.as_str()), ("logo", "a.png"));
        assert_eq!(&file.bytes[..], b"\x01\r\n--edg");
    }

    #[tokio::test]
    async fn an_empty_choice_of_a_file_is_a_file_without_a_name() {
        let body = part("name=\"logo\"; filename=\"\"", "") + "--edge--\r\n";
        let (_, files) = parsed(TYPE, body.as_bytes()).await.unwrap();
        assert!(files[0].name.is_empty() && files[0].bytes.is_empty());
    }

    #[tokio::test]
    async fn what_is_no_such_form_is_refused() {
        let whole = part("name=\"a\"", "b") + "--edge--\r\n";
        for (content_type, body) in [
            ("application/x-www-form-urlencoded", whole.clone()),
            ("multipart/form-data", whole.clone()),
            (
                TYPE,
                "--edge\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb".to_owned(),
            ),
            (TYPE, part("filename=\"x\"", "b") + "--edge--\r\n"),
            (TYPE, part("name=\"a\"", &"x".repeat(16 * 1024 + 1)) + "--edge--\r\n"),
            (TYPE, part("name=\"a\"", "b").repeat(MOST_PARTS + 1) + "--edge--\r\n"),
        ] {
            assert_eq!(
                parsed(content_type, body.as_bytes()).await,
                Err(Malformed),
                "{content_type}"
            );
        }
        assert_eq!(read(None, Bytes::new()).await, Err(Malformed));
    }

    #[test]
    fn a_files_name_is_no_path_and_no_disguise() {
        for (name, cleaned_name) in [
            ("shop.png", "shop.png"),
            ("C:\\Users\\me\\shop.png", "shop.png"),
            ("../../etc/passwd", "passwd"),
            (".htaccess", "htaccess"),
            ("<img src=x onerror=alert(1)>.png", "img src=x onerror=alert(1).png"),
            ("logo\u{202e}gnp.exe\0\n", "logognp.exe"),
            ("..", ""),
        ] {
            assert_eq!(cleaned(name), cleaned_name);
        }
        assert_eq!(cleaned(&"x".repeat(500)).len(), NAME_CHARS);
    }
}
