namespace MLNet.PQCompression.Datasets;

/// <summary>A part of the data set. The parts draw different images for one seed.</summary>
internal enum Split
{
    /// <summary>Labelled images to train with: a folder for each class, classes in turn.</summary>
    Train,

    /// <summary>Images without labels, of classes drawn at random.</summary>
    Unlabelled,

    /// <summary>Labelled images to test with: a folder for each class, classes in turn.</summary>
    Test,
}

/// <summary>The data set shapes10: image i of a split depends on the seed, the split and i alone.</summary>
internal static class DataSet
{
    /// <summary>Renders an image.</summary>
    /// <returns>Its name in the archive and its PNG stream.</returns>
    public static (string Name, byte[] Png) Render(Split split, int seed, int index)
    {
        var random = new Random(Mix(seed, (int)split, index));
        int label = split == Split.Unlabelled ? random.Next(Shape.All.Count) : index % Shape.All.Count;
        byte[] pixels = new Scene(Shape.All[label], random).Render(random);
        string folder = split == Split.Unlabelled ? "" : Shape.All[label].Name + "/";
        return ($"{folder}{index:D5}.png", PngWriter.Encode(Scene.Size, Scene.Size, ColorReducer.Reduce(pixels)));
    }

    /// <summary>Mixes three numbers into a seed (the finalizer of splitmix64 after each).</summary>
    private static int Mix(int a, int b, int c)
    {
        ulong state = 0;
        foreach (int value in (ReadOnlySpan<int>)[a, b, c])
        {
            state += (uint)value + 0x9E3779B97F4A7C15UL;
            state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9UL;
            state = (state ^ state >> 27) * 0x94D049BB133111EBUL;
            state ^= state >> 31;
        }
        return (int)(state & 0x7FFFFFFF);
    }
}
