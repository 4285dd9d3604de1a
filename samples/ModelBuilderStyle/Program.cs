// Uses MLModel1 the way the code that Model Builder adds to a solution does: train it, then predict with what was saved.
using System.IO.Compression;
using ModelBuilderStyle;

// Half of the labelled images is for training, the other half to predict.
Directory.SetCurrentDirectory(AppContext.BaseDirectory);
string test = Path.Combine("output", "test");
if (!Directory.Exists(test))
{
    ZipFile.ExtractToDirectory(Path.Combine("datasets", "shapes10", "test.zip"), test);
    foreach (string folder in Directory.GetDirectories(test))
    {
        string train = Directory.CreateDirectory(Path.Combine(MLModel1.RetrainFilePath, Path.GetFileName(folder))).FullName;
        foreach (string file in Directory.GetFiles(folder).Order(StringComparer.Ordinal).Where((_, i) => i % 2 == 0))
            File.Move(file, Path.Combine(train, Path.GetFileName(file)));
    }
}

MLModel1.Train("MLModel1.mlnet");
Console.WriteLine($"MLModel1.mlnet: {new FileInfo("MLModel1.mlnet").Length:N0} bytes.");

string[] files = [.. Directory.GetFiles(test, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
int right = files.Count(f => MLModel1.Predict(new() { ImageSource = File.ReadAllBytes(f) }).PredictedLabel == Path.GetFileName(Path.GetDirectoryName(f)));
Console.WriteLine($"{right} of {files.Length} images are predicted right.");

var sampleData = new MLModel1.ModelInput { ImageSource = File.ReadAllBytes(files[0]) };
Console.WriteLine($"{files[0]}: {MLModel1.Predict(sampleData).PredictedLabel}");
Console.WriteLine($"{"Class",-40}{"Score",-20}");
Console.WriteLine($"{"-----",-40}{"-----",-20}");
foreach (KeyValuePair<string, float> score in MLModel1.PredictAllLabels(sampleData))
    Console.WriteLine($"{score.Key,-40}{score.Value,-20}");
