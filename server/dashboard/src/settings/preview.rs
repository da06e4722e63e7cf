//! The payment page in small, in the merchant's colour: in light and in dark, with the contrast that comes of it.

use bitpro_checkout_app::theme::{Rgb, Theme, contrast, hex};
use bitpro_merchant::words::{Words, words};
use bitpro_merchant::{Colour, Language, Merchant};
use bitpro_web::checkout::document::merchant_view;
use maud::{Markup, PreEscaped, html};

use crate::route::Request;

/// What text needs to be read (WCAG 2.2, 1.4.3).
const READABLE: f64 = 4.5;

/// The preview of `merchant`'s page in `colour`.
pub(super) fn preview(request: &Request, merchant: &Merchant, colour: Colour) -> Markup {
    let lang = request.language;
    let theme = Theme::of(Some(colour.0));
    let shop = merchant_view(merchant);
    let initial: String = shop.name.chars().take(1).collect();
    html! {
        section.panel.previews #preview aria-labelledby="preview-title" {
            h2 #preview-title { (PREVIEW.of(lang)) }
            style nonce=(request.nonce.as_str()) { (PreEscaped(css(&theme))) }
            @for (scheme, label, at) in [("light", LIGHT, 0), ("dark", DARK, 1)] {
                figure class={ "preview " (scheme) } data-brand=(hex(theme.brand)) data-on-brand=(hex(theme.on_brand))
                    data-tint=(hex(theme.ground[at])) data-accent=(hex(theme.accent[at])) {
                    div.page aria-hidden="true" {
                        div.head {
                            @if let Some(logo) = &shop.logo_url { img src=(logo) alt=""; }
                            @else { span.initial { (initial) } }
                            strong { (shop.name) }
                        }
                        div.sheet {
                            span.price { (PRICE.of(lang)) }
                            span.pay { (OPEN.of(lang)) }
                            span.link { (DETAILS.of(lang)) }
                        }
                    }
                    figcaption { (label.of(lang)) }
                }
            }
            p.contrast #contrast { (told(&theme, lang)) }
            script nonce=(request.nonce.as_str()) { (PreEscaped(LIVE)) }
        }
    }
}

/// What the colour does to the text on it.
fn told(theme: &Theme, lang: Language) -> String {
    let on_white = contrast(theme.brand, [255; 3]);
    let (sentence, ratio) = if on_white >= READABLE {
        (WHITE_TEXT, on_white)
    } else {
        (BLACK_TEXT, contrast(theme.brand, theme.on_brand))
    };
    sentence
        .of(lang)
        .replace("{white}", &written(on_white, lang))
        .replace("{used}", &written(ratio, lang))
}

fn written(ratio: f64, lang: Language) -> String {
    let text = format!("{ratio:.1}");
    match lang {
        Language::En => format!("{text}:1"),
        Language::Fr => format!("{}:1", text.replace('.', ",")),
    }
}

/// The colours for the style sheet: made of bytes, so nothing else can come into it.
fn css(theme: &Theme) -> String {
    let scheme = |name: &str, tint: Rgb, accent: Rgb| {
        format!(
            ".preview.{name}{{--p-brand:{};--p-on-brand:{};--p-tint:{};--p-accent:{}}}",
            hex(theme.brand),
            hex(theme.on_brand),
            hex(tint),
            hex(accent)
        )
    };
    scheme("light", theme.ground[0], theme.accent[0]) + &scheme("dark", theme.ground[1], theme.accent[1])
}

/// Follows the picker: asks this very page for the colour that is tried, and takes its preview over.
const LIVE: &str = "(()=>{const p=document.getElementById('colour');if(!p)return;let t,n=0;\
p.addEventListener('input',()=>{clearTimeout(t);t=setTimeout(async()=>{const my=++n;try{\
const r=await fetch('?colour='+encodeURIComponent(p.value),{headers:{accept:'text/html'}});if(!r.ok)return;\
const d=new DOMParser().parseFromString((await r.text()).replace(/<style[^]*?<\\/style>/g,''),'text/html');if(my!==n)return;\
document.querySelectorAll('.preview').forEach((f,i)=>{const o=d.querySelectorAll('.preview')[i];if(o)\
for(const k of ['brand','on-brand','tint','accent'])f.style.setProperty('--p-'+k,o.getAttribute('data-'+k))});\
const c=d.getElementById('contrast');if(c)document.getElementById('contrast').textContent=c.textContent\
}catch{}},120)})})()";

const PREVIEW: Words = words("Preview", "Aperçu");
const LIGHT: Words = words("On a light screen", "Sur un écran clair");
const DARK: Words = words("On a dark screen", "Sur un écran sombre");
const PRICE: Words = words("€42.00", "42,00 €");
const OPEN: Words = words("Open in wallet", "Ouvrir le portefeuille");
const DETAILS: Words = words("Details", "Détails");
const WHITE_TEXT: Words = words(
    "White text on this colour has a contrast of {white}; 4.5:1 is needed. White is used.",
    "Un texte blanc sur cette couleur a un contraste de {white} ; il faut 4,5:1. Le blanc est employé.",
);
pub(crate) const BLACK_TEXT: Words = words(
    "White text on this colour would have a contrast of only {white}; 4.5:1 is needed. Black is used, with {used}.",
    "Un texte blanc sur cette couleur n’aurait qu’un contraste de {white} ; il faut 4,5:1. Le noir est employé, avec {used}.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contrast_is_told_in_both_languages() {
        let blue = Theme::of(Some([0x1f, 0x5a, 0xa6]));
        assert!(
            told(&blue, Language::En).contains("contrast of 6."),
            "{}",
            told(&blue, Language::En)
        );
        let yellow = Theme::of(Some([0xff, 0xee, 0x00]));
        let said = told(&yellow, Language::Fr);
        assert!(
            said.starts_with(BLACK_TEXT.fr.split_once("{white}").unwrap().0) && said.contains("1,2:1"),
            "{said}"
        );
    }

    #[test]
    fn the_style_is_made_of_colours_only() {
        let css = css(&Theme::of(Some([0xff, 0x80, 0])));
        assert!(
            css.starts_with(".preview.light{--p-brand:#ff8000;--p-on-brand:#000000;"),
            "{css}"
        );
    }
}
