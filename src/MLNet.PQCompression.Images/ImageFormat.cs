namespace MLNet.PQCompression.Images;

/// <summary>A kind of image file, told by its first bytes.</summary>
/// <param name="Name">What it is called in messages.</param>
/// <param name="IsRead">Whether it is decoded here.</param>
internal sealed record ImageFormat(string Name, bool IsRead)
{
    public static readonly ImageFormat
        Jpeg = new("JPEG", true), Png = new("PNG", true), Bmp = new("BMP", true), Gif = new("GIF", true), WebP = new("WebP", true), Icon = new("ICO", true), WirelessBitmap = new("WBMP", true),
        PortableMap = new("PNM", true);

    private static readonly ImageFormat
        Tiff = new("TIFF", false), Heif = new("HEIF or AVIF", false), Jpeg2000 = new("JPEG 2000", false), JpegXl = new("JPEG XL", false), Photoshop = new("a Photoshop document", false),
        Svg = new("SVG", false), Pdf = new("PDF", false);

    /// <summary>Extensions of image files that are not read, lower case with their dot: they are counted as left out where a folder is read.</summary>
    public static IReadOnlyList<string> UnreadExtensions { get; } =
        [".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jpx", ".jxl", ".psd", ".svg", ".tga", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raw", ".exr", ".hdr", ".pcx", ".dds", ".pbm", ".pam"];

    /// <summary>The format that bytes begin like; null for none that is known.</summary>
    public static ImageFormat? Of(ReadOnlySpan<byte> data) => data switch
    {
        [0xFF, 0xD8, ..] => Jpeg,
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => Png,
        [(byte)'B', (byte)'M', ..] => Bmp,
        [(byte)'P', >= (byte)'1' and <= (byte)'7', ..] => PortableMap,
        [0, 0, 1 or 2, 0, ..] => Icon,
        [0, 0, _, _, _, _, ..] when !data[4..].StartsWith("ftyp"u8) && !data[4..].StartsWith("jP  "u8) && !data[4..].StartsWith("JXL "u8) => WirelessBitmap,
        [(byte)'8', (byte)'B', (byte)'P', (byte)'S', ..] => Photoshop,
        [0xFF, 0x0A, ..] => JpegXl,
        _ when data.StartsWith("GIF8"u8) => Gif,
        _ when data.StartsWith("RIFF"u8) && data.Length >= 12 && data[8..].StartsWith("WEBP"u8) => WebP,
        _ when data.StartsWith("II*\0"u8) || data.StartsWith("MM\0*"u8) => Tiff,
        _ when data.Length >= 8 && data[4..].StartsWith("ftyp"u8) => Heif,
        _ when data.Length >= 8 && data[4..].StartsWith("jP  "u8) => Jpeg2000,
        _ when data.Length >= 8 && data[4..].StartsWith("JXL "u8) => JpegXl,
        _ when data.StartsWith("<svg"u8) => Svg,
        _ when data.StartsWith("%PDF"u8) => Pdf,
        _ => null,
    };
}
