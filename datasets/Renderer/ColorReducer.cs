using System.Numerics;

namespace MLNet.PQCompression.Datasets;

/// <summary>An image of few colours.</summary>
/// <param name="Palette">R, G, B of each colour.</param>
/// <param name="Indices">The colour of each pixel.</param>
internal sealed record IndexedImage(byte[] Palette, byte[] Indices);

/// <summary>Reduces an image to a few colours of its own by k-means, so that files stay small.</summary>
internal static class ColorReducer
{
    private const int Colors = 32;
    private const int Rounds = 6;

    /// <param name="pixels">R, G, B of each pixel.</param>
    public static IndexedImage Reduce(byte[] pixels)
    {
        int count = pixels.Length / 3;
        var colors = new Vector3[count];
        for (int i = 0; i < count; i++)
            colors[i] = new(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
        Vector3[] centers = FarthestPoints(colors);
        var indices = new byte[count];
        for (int round = 0; round < Rounds; round++)
        {
            var sums = new Vector4[Colors];
            for (int i = 0; i < count; i++)
            {
                indices[i] = (byte)Nearest(colors[i], centers);
                sums[indices[i]] += new Vector4(colors[i], 1);
            }
            if (round == Rounds - 1)
                break;
            for (int k = 0; k < Colors; k++)
                if (sums[k].W > 0)
                    centers[k] = new Vector3(sums[k].X, sums[k].Y, sums[k].Z) / sums[k].W;
        }
        return new([.. centers.SelectMany(c => new[] { (byte)MathF.Round(c.X), (byte)MathF.Round(c.Y), (byte)MathF.Round(c.Z) })], indices);
    }

    /// <summary>Starts with the first pixel and takes whichever is farthest from those taken.</summary>
    private static Vector3[] FarthestPoints(Vector3[] colors)
    {
        var centers = new Vector3[Colors];
        var distance = new float[colors.Length];
        Array.Fill(distance, float.MaxValue);
        int next = 0;
        for (int k = 0; k < Colors; k++)
        {
            centers[k] = colors[next];
            for (int i = 0; i < colors.Length; i++)
                distance[i] = Math.Min(distance[i], Vector3.DistanceSquared(colors[i], centers[k]));
            next = Array.IndexOf(distance, distance.Max());
        }
        return centers;
    }

    private static int Nearest(Vector3 color, Vector3[] centers)
    {
        int best = 0;
        for (int k = 1; k < centers.Length; k++)
            if (Vector3.DistanceSquared(color, centers[k]) < Vector3.DistanceSquared(color, centers[best]))
                best = k;
        return best;
    }
}
