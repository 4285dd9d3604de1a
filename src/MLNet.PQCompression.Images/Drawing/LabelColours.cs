using SkiaSharp;

namespace MLNet.PQCompression.Images.Drawing;

/// <summary>A colour for each label, far from those of its neighbours.</summary>
internal static class LabelColours
{
    /// <summary>The share of the circle of hues between two labels: the golden section never comes back near to where it was.</summary>
    private const double Step = 0.6180339887498949;

    /// <summary>The colour of a label; the same in every picture.</summary>
    public static SKColor Of(int label) => SKColor.FromHsv((float)(360 * ((0.56 + (label * Step)) % 1)), 78, 92);

    /// <summary>Black or white, whichever can be read on a colour.</summary>
    public static SKColor On(SKColor colour) => (0.299 * colour.Red) + (0.587 * colour.Green) + (0.114 * colour.Blue) > 140 ? SKColors.Black : SKColors.White;
}
