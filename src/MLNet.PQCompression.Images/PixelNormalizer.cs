namespace MLNet.PQCompression.Images;

/// <summary>Turns pixels of the model's size into its input by one table look-up a value: (p/255 − mean)/std in single precision.</summary>
internal sealed class PixelNormalizer
{
    private readonly ImagePreprocessing _preprocessing;
    private readonly float[][] _tables;

    public PixelNormalizer(ImagePreprocessing preprocessing)
    {
        preprocessing.Check();
        _preprocessing = preprocessing;
        _tables = new float[preprocessing.Channels][];
        for (int c = 0; c < _tables.Length; c++)
        {
            _tables[c] = new float[256];
            for (int p = 0; p < 256; p++)
                _tables[c][p] = (p / 255f - preprocessing.Mean[c]) / preprocessing.Std[c];
        }
    }

    /// <param name="pixels">H·W pixels, R, G, B each.</param>
    /// <param name="destination">C×H×W values.</param>
    public void Normalize(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        int area = _preprocessing.Width * _preprocessing.Height;
        if (destination.Length < _preprocessing.Length)
            throw new ArgumentException($"The destination has room for {destination.Length} values; {_preprocessing.Length} are needed.", nameof(destination));
        pixels = pixels[..(3 * area)];
        if (_preprocessing.Order == ChannelOrder.Grey)
        {
            float[] table = _tables[0];
            for (int i = 0; i < area; i++)
                destination[i] = table[(19595 * pixels[3 * i] + 38470 * pixels[3 * i + 1] + 7471 * pixels[3 * i + 2] + 0x8000) >> 16];
            return;
        }
        for (int c = 0; c < 3; c++)
        {
            float[] table = _tables[c];
            Span<float> plane = destination.Slice(c * area, area);
            int at = _preprocessing.Order == ChannelOrder.Bgr ? 2 - c : c;
            for (int i = 0; i < plane.Length; i++, at += 3)
                plane[i] = table[pixels[at]];
        }
    }
}
