using System.Globalization;
using System.Text.Json;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Sharding;

/// <summary>Writes what is found about a shard's images as lines of JSON, in their order. The same work gives the same bytes.</summary>
internal sealed class ShardFile
{
    private readonly StreamWriter _writer;
    private readonly ImageSource _images;
    private readonly IReadOnlyList<int> _places;
    private readonly ImageSampleSource _samples;
    private int _next;

    private ShardFile(StreamWriter writer, ImageSource images, IReadOnlyList<int> places, ImageSampleSource samples)
    {
        (_writer, _images, _places, _samples) = (writer, images, places, samples);
        _writer.NewLine = "\n";
    }

    /// <summary>The name of a shard's file.</summary>
    public static string NameOf(int shard, int shards) => string.Create(CultureInfo.InvariantCulture, $"shard-{shard}-of-{shards}.jsonl");

    /// <summary>Does work that finds something about each image, and writes it. The file is there when all of it is, and not before; one from an earlier run is replaced.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="header">The first line.</param>
    /// <param name="images">The shard's images.</param>
    /// <param name="places">Their places among all.</param>
    /// <param name="samples">Reads them, and knows which cannot be read.</param>
    /// <param name="work">Adds the images in their order, but those that cannot be read.</param>
    public static T Write<T>(string folder, ShardHeader header, ImageSource images, IReadOnlyList<int> places, ImageSampleSource samples, Func<ShardFile, T> work)
    {
        T? result = default;
        AtomicFile.Write(Path.Combine(folder, NameOf(header.Shard, header.Shards)), overwrite: true, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            var file = new ShardFile(writer, images, places, samples);
            writer.WriteLine(JsonSerializer.Serialize(header, ShardJson.Default.ShardHeader));
            result = work(file);
            file.SkipTo(images.Count);
        });
        return result!;
    }

    /// <summary>Adds an image.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="line">What was found, with the number of the line.</param>
    public void Add(string name, Func<ShardLine, ShardLine> line)
    {
        int place = _next;
        while (_images.Images[place].Name != name)
            place++;
        SkipTo(place);
        Write(line(new(_places[_next++])));
    }

    /// <summary>Images that nothing was found about are those that could not be read.</summary>
    private void SkipTo(int place)
    {
        if (_next == place)
            return;
        Dictionary<string, SkippedImage> skipped = _samples.Skipped.GroupBy(s => s.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last(), StringComparer.Ordinal);
        for (; _next < place; _next++)
            Write(new(_places[_next]) { Skipped = skipped[_images.Images[_next].Name] });
    }

    private void Write(ShardLine line) => _writer.WriteLine(JsonSerializer.Serialize(line, ShardJson.Default.ShardLine));
}
