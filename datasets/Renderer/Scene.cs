using System.Numerics;

namespace MLNet.PQCompression.Datasets;

/// <summary>One picture: a textured background, clutter, the shape in a random pose and texture, and bars that cover parts of it.</summary>
internal sealed class Scene
{
    /// <summary>Pixels of a side.</summary>
    public const int Size = 32;

    private const int Samples = 3;
    private readonly Layer[] _layers;

    public Scene(Shape shape, Random random)
    {
        Vector3 ground = RandomColor(random);
        Vector3 figure;
        do
            figure = RandomColor(random);
        while (Vector3.Distance(figure, ground) < 0.35f);

        var layers = new List<Layer> { new(static (_, _) => true, Pose.Identity, Texture.Random(ground, 0.12f, random)) };
        int clutter = random.Next(2, 5);
        for (int i = 0; i < clutter; i++)
            layers.Add(Clutter(random));
        layers.Add(new(shape.Contains, Pose.Random(random, 0.8, 6.5, 11.5, 4), Texture.Random(figure, 0.1f, random)));
        int covers = random.Next(3);
        for (int i = 0; i < covers; i++)
            layers.Add(Bar(random));
        _layers = [.. layers];
    }

    /// <summary>The pixels, R, G, B each: nine samples a pixel, then noise.</summary>
    public byte[] Render(Random random)
    {
        var pixels = new byte[Size * Size * 3];
        float noise = 0.01f + 0.04f * random.NextSingle();
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                Vector3 sum = Vector3.Zero;
                for (int s = 0; s < Samples * Samples; s++)
                    sum += Sample(x + (s % Samples + 0.5) / Samples, y + (s / Samples + 0.5) / Samples);
                Vector3 color = sum / (Samples * Samples) + new Vector3(Gaussian(random), Gaussian(random), Gaussian(random)) * noise;
                for (int c = 0; c < 3; c++)
                    pixels[(y * Size + x) * 3 + c] = (byte)Math.Clamp((int)(color[c] * 255 + 0.5f), 0, 255);
            }
        return pixels;
    }

    private Vector3 Sample(double x, double y)
    {
        for (int i = _layers.Length - 1; ; i--)
        {
            (double u, double v) = _layers[i].Pose.ToShape(x, y);
            if (i == 0 || _layers[i].Contains(u, v))
                return _layers[i].Texture.At(x, y);
        }
    }

    /// <summary>Half of a small shape of any class, which alone tells nothing of the picture's class.</summary>
    private static Layer Clutter(Random random)
    {
        Shape other = Shape.All[random.Next(Shape.All.Count)];
        return new((x, y) => x > 0 && other.Contains(x, y), Pose.Random(random, Math.PI, 2.5, 4.5, 15), Texture.Random(RandomColor(random), 0.1f, random));
    }

    private static Layer Bar(Random random)
    {
        double width = 0.08 + 0.08 * random.NextDouble();
        return new((x, y) => Math.Abs(x) < width && Math.Abs(y) < 1, Pose.Random(random, Math.PI, 8, 12, 10), Texture.Random(RandomColor(random), 0.1f, random));
    }

    private static Vector3 RandomColor(Random random) => new(random.NextSingle(), random.NextSingle(), random.NextSingle());

    private static float Gaussian(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private sealed record Layer(Func<double, double, bool> Contains, Pose Pose, Texture Texture);
}
