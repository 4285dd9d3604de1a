// A folder of pictures → the objects in them, drawn: a detector in an ML.NET pipeline.
using DetectionSample;

if (args.Length is < 1 or > 3)
{
    Console.WriteLine("usage: MODEL.onnx [FOLDER] [NAMES.txt]");
    return 2;
}
string folder = args.Length > 1 ? args[1] : Path.Combine(AppContext.BaseDirectory, "pictures");
string names = args.Length > 2 ? args[2] : Path.Combine(AppContext.BaseDirectory, "coco-names.txt");
foreach (DrawnFile drawn in PictureFolder.Draw(args[0], folder, File.ReadAllLines(names), Directory.CreateDirectory("output").FullName))
{
    Console.WriteLine(drawn.Path);
    foreach (string line in drawn.Objects)
        Console.WriteLine($"    {line}");
}
return 0;
