namespace MLNet.PQCompression.Images.Jpeg;

/// <summary>Marker codes (T.81, table B.1), and the order of coefficients.</summary>
internal static class JpegMarker
{
    public const int SOF0 = 0xC0;
    public const int SOF1 = 0xC1;
    public const int SOF2 = 0xC2;
    public const int DHT = 0xC4;
    public const int JPG = 0xC8;
    public const int DAC = 0xCC;
    public const int SOF15 = 0xCF;
    public const int RST0 = 0xD0;
    public const int RST7 = 0xD7;
    public const int SOI = 0xD8;
    public const int EOI = 0xD9;
    public const int SOS = 0xDA;
    public const int DQT = 0xDB;
    public const int DNL = 0xDC;
    public const int DRI = 0xDD;
    public const int APP0 = 0xE0;
    public const int APP1 = 0xE1;
    public const int APP14 = 0xEE;
    public const int TEM = 0x01;

    /// <summary>The place, row by row, of the i-th coefficient of a block.</summary>
    public static ReadOnlySpan<byte> ZigZag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
        12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
        58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>The name of a frame header's process, for those that are refused.</summary>
    public static string ProcessName(int sof) => sof switch
    {
        0xC3 => "lossless",
        0xC5 or 0xC6 or 0xC7 => "hierarchical",
        0xC9 => "sequential with arithmetic coding",
        0xCA => "progressive with arithmetic coding",
        0xCB => "lossless with arithmetic coding",
        _ => "hierarchical with arithmetic coding",
    };
}
