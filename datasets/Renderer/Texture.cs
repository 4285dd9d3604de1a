using System.Numerics;

namespace MLNet.PQCompression.Datasets;

/// <summary>A colour that varies over the picture: a gradient and stripes.</summary>
internal sealed record Texture(Vector3 Color, Vector3 Gradient, Vector2 Slope, Vector3 Stripes, Vector2 Wave, float Phase)
{
    /// <summary>A texture around a colour whose parts vary by up to <paramref name="strength"/>.</summary>
    public static Texture Random(Vector3 color, float strength, Random random)
    {
        float direction = MathF.Tau * random.NextSingle(), along = MathF.Tau * random.NextSingle(), frequency = 0.3f + 1.2f * random.NextSingle();
        return new(color, Variation(), new Vector2(MathF.Cos(direction), MathF.Sin(direction)) / (Scene.Size / 2f),
            Variation(), new Vector2(MathF.Cos(along), MathF.Sin(along)) * frequency, MathF.Tau * random.NextSingle());

        Vector3 Variation() => new Vector3(random.NextSingle() - 0.5f, random.NextSingle() - 0.5f, random.NextSingle() - 0.5f) * 2 * strength;
    }

    public Vector3 At(double x, double y)
    {
        var place = new Vector2((float)x - Scene.Size / 2f, (float)y - Scene.Size / 2f);
        return Color + Gradient * Vector2.Dot(Slope, place) + Stripes * MathF.Sin(Vector2.Dot(Wave, place) + Phase);
    }
}
