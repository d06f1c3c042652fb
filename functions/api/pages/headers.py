"""What a page says about what it may do; that types are not to be guessed, `middleware` says of every answer."""

COMMON = {
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page_headers(image_origin: str) -> dict[str, str]:
    """Of a page: nothing runs and nothing is styled but what we serve as files; pictures also from EVE's server."""
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' {image_origin}",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        **COMMON,
        "Content-Security-Policy": "; ".join(policy),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
